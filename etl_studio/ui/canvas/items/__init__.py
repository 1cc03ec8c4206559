"""What stands on the canvas: nodes, wires, and the pictures that they share."""

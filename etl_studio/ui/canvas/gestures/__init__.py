"""What hands do on the canvas: one small class for each gesture."""

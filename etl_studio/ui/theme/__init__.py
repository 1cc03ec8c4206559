"""One design language: colours, spacing, type scale and icons, light and dark."""

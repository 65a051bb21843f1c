"""Pages and pictures: one HTML file each that opens without a network."""

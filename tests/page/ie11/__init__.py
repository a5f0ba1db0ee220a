"""What IE 11 lacks, and the gate that looks for it in static/."""

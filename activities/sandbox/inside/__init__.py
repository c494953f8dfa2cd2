"""What runs inside a box as its supervisor: standard library only, started by `python -I -S`."""

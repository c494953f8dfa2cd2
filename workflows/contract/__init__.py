"""The types that workflows, activities, gateway and command line speak to each other.

Only frozen values belong here: no IO, no Temporal, no clock.
"""

"""The parts of the script that trains the model in resources/model (see resources/train.py)."""

"""What learns: five experts and the gate that mixes them."""

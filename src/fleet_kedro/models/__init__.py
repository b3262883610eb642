"""What learns: six experts and the gate that mixes them."""

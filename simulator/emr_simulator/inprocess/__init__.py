"""The face of the simulator inside one process: the layer's ports on the World and in memory."""

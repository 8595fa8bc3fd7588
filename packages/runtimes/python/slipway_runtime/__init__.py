"""What runs inside a job or an inference worker: the engine's processes and the containers' contracts."""

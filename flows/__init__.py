"""What happens, in order. Each flow runs under Prefect, or plainly when it is called by ``.fn``."""

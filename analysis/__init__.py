"""What the program computes: the contract, the runner, numeric kernels and one file per study."""

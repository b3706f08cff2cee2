"""The rivals: plugins of denobench, registered exactly as a stranger's would be."""

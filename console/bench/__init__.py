"""`xueji bench`: the measured speed of this machine against its own raw driver, as ratios taken in one run."""

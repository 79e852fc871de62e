"""Headless. The sample district 합강 표본지구: a synthetic new town from a seed, in standard file formats."""

from app.sample.make import SampleFiles, copy_sample, default_folder, is_complete, make_sample

__all__ = ["SampleFiles", "copy_sample", "default_folder", "is_complete", "make_sample"]

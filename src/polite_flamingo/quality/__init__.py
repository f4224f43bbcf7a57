"""The data gate: Great Expectations suites over the pipeline's tables."""

//! Documents to pages: inspect, split mail, lay out, rasterise, in a worker process with limits.

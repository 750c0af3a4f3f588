//! Docker engines over any transport; what providers share about them. I/O.

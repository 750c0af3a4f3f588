//! One connection to one host: the local machine, or SSH. I/O.

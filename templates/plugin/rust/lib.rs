//! Provider `@name@` of Cloudpad's stage `@stage@`, as a plugin. README.md says how to build and test it.

@provider@

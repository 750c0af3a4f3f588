//! Build provider `docker`: images by the engine's API.

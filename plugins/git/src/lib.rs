//! Source provider `git`: git repositories and local directories. Talks to the user's git.

"""A study of several sections: one latent, shared domains, and what differs between conditions."""

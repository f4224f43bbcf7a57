"""The Shapes world: small scenes whose truth is known, and official-format data about them."""

"""How well the methods do on recordings that anyone may name: `sinew evaluate`."""

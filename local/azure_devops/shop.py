"""The files of the seeded repository: a small web shop, with every kind of hard file."""

from typing import Final

_PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c6360f8cfc0f01f0005000201cafb"
    "4b8e0000000049454e44ae426082"
)

MAIN_FILES: Final[dict[str, bytes]] = {
    "README.md": b"""# Storefront

A small web shop. Open `index.html` in a browser.

## Layout

- `css/` the styles, `js/` the cart, `src/` prices on the server
""",
    "index.html": b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Storefront</title>
  <link rel="stylesheet" href="css/site.css">
</head>
<body>
  <h1>Storefront</h1>
  <ul class="products">
    <li>Teapot <button class="button" data-item="teapot">Add to cart</button></li>
    <li>Cup <button class="button" data-item="cup">Add to cart</button></li>
  </ul>
  <a class="button button-primary" href="checkout.html">Checkout</a>
  <script src="js/cart.js"></script>
</body>
</html>
""",
    "css/site.css": b""":root {
  --ink: #1f2328;
  --paper: #ffffff;
  --accent: #1a6fb5;
  --accent-dark: #155a94;
}

body {
  margin: 2rem auto;
  max-width: 48rem;
  color: var(--ink);
  background: var(--paper);
  font-family: system-ui, sans-serif;
}

.products {
  padding: 0;
  list-style: none;
}

.button {
  display: inline-block;
  padding: 0.5rem 1rem;
  border: 0;
  border-radius: 0.25rem;
  color: #ffffff;
  background: var(--accent);
  cursor: pointer;
}

.button:hover {
  background: var(--accent-dark);
}

@media (max-width: 40rem) {
  .button {
    width: 100%;
  }
}
""",
    "js/cart.js": b"""const items = [];

export function addItem(name) {
  items.push(name);
  return items.length;
}

document.addEventListener("click", (event) => {
  const item = event.target.dataset?.item;
  if (item) {
    addItem(item);
  }
});
""",
    "src/pricing.py": b'''"""Prices of a cart."""

VAT_RATE = 0.19


def total(prices: list[float]) -> float:
    """Add up net prices."""
    return sum(prices)


def with_vat(net: float) -> float:
    return net * (1 + VAT_RATE)
''',
    "tests/test_pricing.py": b"""from src.pricing import total, with_vat


def test_total() -> None:
    assert total([1.0, 2.0]) == 3.0


def test_vat() -> None:
    assert with_vat(100) == 119
""",
    "azure-pipelines.yml": b"trigger:\n- main\n\nsteps:\n- script: python -m pytest\n",
    "docs/windows.txt": b"One line.\r\nAnother line.\r\n",
    "docs/with-mark.txt": b"\xef\xbb\xbfA text with a byte order mark.\n",
    "docs/unfinished.txt": b"The last line has no end",
    "docs/\u00fcber uns.md": "# \u00dcber uns\n\nWir verkaufen Teekannen.\n".encode(),
    "img/dot.png": _PNG,
    "tools/serve.sh": b"#!/bin/sh\nexec python3 -m http.server 8000\n",
}

TOPIC_FILES: Final[dict[str, bytes]] = {
    "checkout.html": b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Checkout</title>
  <link rel="stylesheet" href="css/site.css">
  <link rel="stylesheet" href="css/checkout.css">
</head>
<body>
  <h1>Checkout</h1>
  <button class="button button-primary">Pay</button>
</body>
</html>
""",
    "css/checkout.css": b""".button-primary {
  font-weight: 700;
  background: #2c7a3f;
}

.button-primary:hover {
  background: #22602f;
}
""",
}

MODES: Final = {"tools/serve.sh": "100755"}
"""Modes that are not those of a plain file."""

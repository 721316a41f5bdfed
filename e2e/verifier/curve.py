"""Which 32 bytes are a point of Curve25519's twisted Edwards form (RFC 8032, 5.1.3), and which of these have a small order.

Keys and signatures with such points hold for many messages at once; the contract knows none (docs/protocol/README.md)."""

from functools import cache

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def point(encoded):
    """x and y, or None."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, (y & (1 << 255) - 1) % P
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if x * x % P != squared:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != squared:
        return None
    return (P - x if x & 1 != sign else x) % P, y


def twice(one):
    x, y = one
    xx, yy, product = x * x % P, y * y % P, D * x * x * y * y % P
    return (2 * x * y * pow(1 + product, P - 2, P) % P, (yy + xx) * pow(1 - product, P - 2, P) % P)


@cache
def is_strong(encoded):
    """Whether it is a point, and not one of the eight of a small order. The same keys and signatures stand in hundreds of packs,
    and this takes longer than everything else that is done with them."""
    found = point(encoded)
    return found is not None and twice(twice(twice(found))) != (0, 1)

"""Moving values as expressions for ffmpeg's filters: linear between keys, held outside."""

from collections.abc import Sequence

Key = tuple[float, float]


def expression_over_time(keys: Sequence[Key]) -> str:
    """An expression of `t` through (seconds, value) keys in order of time.

    A balanced tree of conditions: ffmpeg parses at most 100 levels, and evaluates it every frame.
    """
    if len(keys) == 1 or all(value == keys[0][1] for _, value in keys):
        return f"{keys[0][1]:.4f}"
    pieces = [(keys[0][0], f"{keys[0][1]:.4f}")]
    for (begin, low), (end, high) in zip(keys, keys[1:], strict=False):
        if end <= begin:
            continue
        slope = (high - low) / (end - begin)
        pieces.append((end, f"({low:.4f}+({slope:.6f})*(t-({begin:.6f})))"))
    return _choose(pieces, f"{keys[-1][1]:.4f}")


def _choose(pieces: Sequence[tuple[float, str]], otherwise: str) -> str:
    """`pieces` hold each until its time; after the last one `otherwise` holds."""
    if not pieces:
        return otherwise
    middle = len(pieces) // 2
    until, text = pieces[middle]
    left = _choose(pieces[:middle], text)
    return f"if(lt(t,{until:.6f}),{left},{_choose(pieces[middle + 1 :], otherwise)})"

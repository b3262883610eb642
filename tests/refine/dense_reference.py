"""Tensor-Flex the long way: on stacked rows, with numpy's corrcoef, svd and lstsq."""

import numpy as np
from scipy.cluster.hierarchy import linkage, to_tree


def dense_latents(rows, label, block, settings):
    """Latents of the rows, best first, each in its own column, positive link."""
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    clusters = _clusters(z, settings["max_cluster_size"])
    parts = [_principal(z[:, c], settings["variance_kept"]) for c in clusters]
    leading = np.column_stack([part[:, 0] for part in parts])
    plain, plain_link, other, other_link = [], [], [], []
    for number, part in enumerate(parts):
        listened = _nearest(leading, number, settings["n_neighbours"])
        for component in part.T:
            plain.append(component)
            plain_link.append(_links(component, label, block))
            other.append(_residual(component, listened))
            other_link.append(_links(other[-1], label, block))
    usual = np.median([np.std(link, ddof=1) for link in plain_link])
    chosen = [
        (v, w) if _is_steadier(w, s, usual) and v.any() else (u, s)
        for u, s, v, w in zip(plain, plain_link, other, other_link, strict=True)
    ]
    return _select(chosen, usual, settings)


def _clusters(z, size):
    distance = 1 - np.abs(np.corrcoef(z, rowvar=False))
    condensed = distance[np.triu_indices(len(distance), 1)]

    def branches(node):
        if node.count <= size:
            return [sorted(node.pre_order())]
        return branches(node.left) + branches(node.right)

    return sorted(branches(to_tree(linkage(condensed, "average"))))


def _principal(z, kept):
    left, scale, right = np.linalg.svd(z, full_matrices=False)
    share = np.cumsum(scale**2) / np.sum(scale**2)
    count = int(np.searchsorted(share, kept)) + 1
    sign = np.sign(right[np.arange(count), np.abs(right[:count]).argmax(axis=1)])
    return left[:, :count] * sign * np.sqrt(len(z))


def _nearest(leading, number, count):
    closeness = np.abs(np.corrcoef(leading, rowvar=False))[number]
    closeness[number] = -1
    return leading[:, np.argsort(-closeness)[:count]]


def _residual(component, listened):
    slope = np.linalg.lstsq(listened, component)[0]
    rest = component - listened @ slope
    return rest / rest.std() if rest.var() >= 0.05 else np.zeros_like(rest)


def _links(values, label, block):
    inside = [block == number for number in np.unique(block)]
    return np.array(
        [np.cov(values[b], label[b], ddof=0)[0, 1] / label[b].std() for b in inside]
    )


def _merit(link, usual):
    strength = np.sqrt(len(link)) * abs(link.mean()) / (link.std(ddof=1) + usual)
    return np.mean(np.sign(link) == np.sign(link.mean())), strength


def _is_steadier(residual, plain, usual):
    agreement, strength = _merit(residual, usual)
    plain_agreement, plain_strength = _merit(plain, usual)
    return agreement >= plain_agreement and strength > plain_strength


def _select(candidates, usual, settings):
    def order(candidate):
        agreement, strength = _merit(candidate[1], usual)
        return agreement < settings["min_agreement"], -strength

    kept = []
    for values, link in sorted(candidates, key=order):
        overlap = [abs(np.corrcoef(values, other)[0, 1]) for other in kept]
        if max(overlap, default=0.0) <= settings["max_latent_correlation"]:
            kept.append(values * (np.sign(link.mean()) or 1.0))
    return np.column_stack(kept[: settings["n_latents"]])

"""Independent bids in tenders of any size: the law of bids that explains a set of tenders best.

Where tenders differ in size and nobody tells by how much (no reserve), a bid can only be compared
with the others of its tender. The competitive market that comes closest to the given one is

    ln b_ti = m_t + s_t e_ti,    e_ti drawn independently from F,    s_t from G,

with the tender's own level m_t (any number: its likelihood is integrated over it) and its own
dispersion s_t. F and G are any laws, not normal ones: both are histograms, found by maximum
likelihood. With p_k = F(bin k) and g_j = G(s_j), bid a of the tender in the middle of bin k, e_k:

    w_tjk  ~  g_j p_k  prod_(i != a)  f((ln b_ti - ln b_ta) / s_j + e_k) / s_j      (E; sum_jk = 1)
    g_j    =  mean_t sum_k w_tjk,     p_k = mean of w over the bids that lie in bin k          (M)

and after each step p is smoothed by (1/4, 1/2, 1/4). Bids of a simulated tender are
exp(s_t e_i), with s_t drawn by its w and e_i from F: positive always; the level drops out, as
every screen is a share. Dispersions are those of the tenders themselves, so the control's cv and
spread lie at the given ones; what is arranged shows in the shape (hole, relative distance,
skewness, uniformity), which independent bids of no F may have.

Sources. A level of its own for each tender, multiplicative, the rest independent: Krasnokutskaya,
"Identification and estimation of auction models with unobserved heterogeneity", REStud 78(1), 2011.
Maximum likelihood over all laws: Kiefer, Wolfowitz, Ann. Math. Stat. 27(4), 1956. The smoothed EM
step: Silverman, Jones, Wilson, Nychka, JRSS B 52(2), 1990. The law of s_t is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tacit.envs.types import Floats, Ints

from .screen_draws import DEAL, uniform_draws
from .tenders import BidsBySize

MOST_TENDERS = 1_000  # that are looked at; of more, every second, third, ...
STEPS = 12  # of the iteration
BIN = 0.2  # width of F's bins in asinh(e): even around 0, logarithmic far out
SCALES = 2.0 ** np.arange(-3.0, 3.25, 0.5)  # dispersions s, in those of the median tender
FLOOR = 1e-6  # of a bin: nothing is impossible
FARTHEST = 50.0  # |ln of a bid|: e to this power is beyond any amount


@dataclass(frozen=True)
class CompetitiveLaw:
    """F, G, and what is known of each tender's dispersion.

    Attributes:
        edges: of F's bins, in asinh(e), float64 `[K + 1]`.
        share: probability of each, float64 `[K]`.
        scales: the dispersions s_j, as sd of ln bids, float64 `[J]`.
        weight: of the dispersions in every tender that was looked at, float64 `[T, J]` by n.
    """

    edges: Floats
    share: Floats
    scales: Floats
    weight: BidsBySize

    def draw(self, deal: int) -> BidsBySize:
        """Bids of competitive tenders, one for each that was looked at.

        Args:
            deal: the number of the draw.

        Returns:
            Float64 `[T, n]` by n, each row ascending.
        """
        found, below = {}, np.r_[0.0, np.cumsum(self.share)]
        for n, weight in self.weight.items():
            count = len(weight)
            luck = uniform_draws(count * (n + 2), DEAL, deal, n).reshape(count, n + 2)
            j = (luck[:, :1] > np.cumsum(weight, axis=1)[:, :-1]).sum(axis=1)
            step = np.log(SCALES[1] / SCALES[0])
            s = self.scales[j] * np.exp(step * (luck[:, 1] - 0.5))
            e = np.sinh(np.interp(luck[:, 2:], below / below[-1], self.edges))
            bids = np.exp(np.clip(s[:, None] * e, -FARTHEST, FARTHEST))
            bids.sort(axis=1)
            found[n] = np.asfortranarray(bids)
        return found


def fit_law(tenders: BidsBySize) -> CompetitiveLaw:
    """The law under which the bids are most likely.

    Args:
        tenders: bids float64 `[T, n]` by n, each row ascending, above 0.
    """
    step = max(1, -(-sum(len(b) for b in tenders.values()) // MOST_TENDERS))
    logs = {n: np.log(bids[::step]) for n, bids in tenders.items()}
    sd = np.concatenate([y.std(axis=1, ddof=1) for y in logs.values()])
    unit = float(np.median(sd[sd > 0])) if (sd > 0).any() else 1.0
    reach = max(float((y[:, -1] - y[:, 0]).max()) for y in logs.values()) / unit
    half = int(np.ceil(np.arcsinh(max(2.0 * reach, 4.0)) / BIN))
    edges: Floats = np.arange(-half, half + 1, dtype=np.float64) * BIN
    scales = unit * SCALES
    share, prior = _first_share(logs, edges), np.full(len(scales), 1.0 / len(scales))
    weight: BidsBySize = {}
    for _ in range(STEPS):
        mass, weight = np.zeros(len(share)), {}
        for n, y in logs.items():
            weight[n], own = _expectation(y, edges, share, scales, prior)
            mass += own
        prior = np.concatenate([*weight.values()]).mean(axis=0)
        share = _smoothed(mass / mass.sum())
    return CompetitiveLaw(edges, share, scales, weight)


def _smoothed(share: Floats) -> Floats:
    """A histogram smoothed over neighbouring bins, no bin empty, float64 `[K]`."""
    padded = np.pad(share, 1, mode="edge")
    found = 0.25 * padded[:-2] + 0.5 * share + 0.25 * padded[2:] + FLOOR
    smooth: Floats = found / found.sum()
    return smooth


def _first_share(logs: BidsBySize, edges: Floats) -> Floats:
    """A histogram to begin with: distances from the middle bid, in the tender's own sd."""
    e = []
    for y in logs.values():
        sd = y.std(axis=1, ddof=1, keepdims=True)
        e.append(((y - np.median(y, axis=1, keepdims=True)) / np.where(sd > 0, sd, 1.0)).ravel())
    found = np.histogram(np.arcsinh(np.concatenate(e)), edges)[0].astype(float)
    for _ in range(3):
        found = _smoothed(found / found.sum())
    return found


def _expectation(
    y: Floats, edges: Floats, share: Floats, scales: Floats, prior: Floats
) -> tuple[Floats, Floats]:
    """Weights of the dispersions of tenders with n bids, and how many bids lie in each bin.

    Args:
        y: logarithms of bids, float64 `[T, n]`, each row ascending.
        edges: of the bins, float64 `[K + 1]`.
        share: of the bins, float64 `[K]`.
        scales: the dispersions, float64 `[J]`.
        prior: their probabilities, float64 `[J]`.

    Returns:
        Float64 `[T, J]`, and float64 `[K]`.
    """
    count, n = y.shape
    bins, anchor = len(share), n // 2
    density = np.log(share) - np.log(np.diff(np.sinh(edges)))
    middle = np.sinh((edges[1:] + edges[:-1]) / 2)
    power: Floats = np.log(prior + FLOOR)[:, None] + np.log(share)[None, :]
    power = power - (n - 1) * np.log(scales)[:, None]
    power = np.repeat(power[None], count, axis=0)  # [T, J, K]
    places: list[Ints] = []
    for i in range(n):
        away = ((y[:, i] - y[:, anchor])[:, None] / scales)[:, :, None] + middle
        place = np.clip((np.arcsinh(away) - edges[0]) / BIN, 0, bins - 1).astype(np.int64)
        places.append(place)
        if i != anchor:
            power += density[place]
    power -= power.max(axis=(1, 2), keepdims=True)
    weight = np.exp(power)
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    mass = np.zeros(bins)
    for place in places:
        mass += np.bincount(place.ravel(), weight.ravel(), bins)
    return weight.sum(axis=2), mass

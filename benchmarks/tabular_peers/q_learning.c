/* Two Q-learners in a repeated game, in plain C: the mark for tacit's tabular learners.

Only the learning itself: no measures, no KPI terms, no recording. What was kept, because it was
faster: payoffs from a table; the best action of a row and a bound of all others kept beside the
row, so that few updates search; epsilon multiplied on, not computed by exp; four streams of draws.

Compiled with -DCOUNTED_DRAWS it makes the draws that tacit makes (SplitMix64 over counters), and
then its Q values are compared with tacit's bit for bit. */

#include <math.h>
#include <stdint.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define SEATS 2

typedef struct {
    double top, bound; /* Q of the best action; at least every other Q of the row */
    int64_t best;
} Row;

/* --- draws ------------------------------------------------------------------------------------ */

#ifdef COUNTED_DRAWS
typedef struct {
    uint64_t key[SEATS + 1]; /* each seat's, then nature's, within the episode */
    uint64_t now[SEATS + 1];
    int64_t round;
} Luck;

static inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static inline uint64_t fold(uint64_t key, uint64_t n) {
    return mix(key + (n + 1) * 0x9E3779B97F4A7C15u);
}
static inline void begin(Luck *luck, const uint64_t *seed) {
    for (int i = 0; i <= SEATS; i++) luck->key[i] = seed[i];
    luck->round = (int64_t)seed[SEATS + 1];
}
static inline void next_round(Luck *luck) {
    for (int i = 0; i <= SEATS; i++) luck->now[i] = fold(fold(luck->key[i], luck->round), 0);
    luck->round++;
}
static inline double draw(Luck *luck, int who) {
    uint64_t slot = who < SEATS ? who : 0; /* nature's first slot is the tie */
    return (double)(mix(luck->now[who] + (slot + 1) * 0xD1B54A32D192ED03u) >> 11) * 0x1p-53;
}
#else
typedef struct {
    uint64_t at[SEATS + 1];
} Luck;

static inline void begin(Luck *luck, const uint64_t *seed) {
    for (int i = 0; i <= SEATS; i++) luck->at[i] = seed[i] | 1;
}
static inline void next_round(Luck *luck) { (void)luck; }
static inline double draw(Luck *luck, int who) { /* xorshift64*, Vigna 2016 */
    uint64_t z = luck->at[who];
    z ^= z >> 12;
    z ^= z << 25;
    z ^= z >> 27;
    luck->at[who] = z;
    return (double)((z * 0x2545F4914F6CDD1Du) >> 11) * 0x1p-53;
}
#endif

/* --- learners --------------------------------------------------------------------------------- */

#ifdef __AVX512F__
static inline __m512d load(const double *q, int64_t a, int64_t actions) {
    __mmask8 lanes = actions - a >= 8 ? 0xFF : (1u << (actions - a)) - 1;
    return _mm512_mask_loadu_pd(_mm512_set1_pd(-INFINITY), lanes, q + a);
}
static inline void rank(const double *q, int64_t actions, Row *row) {
    __m512d high = load(q, 0, actions), low = _mm512_set1_pd(-INFINITY);
    for (int64_t a = 8; a < actions; a += 8) {
        __m512d x = load(q, a, actions);
        low = _mm512_max_pd(low, _mm512_min_pd(high, x));
        high = _mm512_max_pd(high, x);
    }
    __m512d top = _mm512_set1_pd(_mm512_reduce_max_pd(high));
    uint32_t lanes = _mm512_cmp_pd_mask(high, top, _CMP_EQ_OQ), found = 0;
    row->bound = _mm512_reduce_max_pd(_mm512_mask_mov_pd(high, lanes & -lanes, low));
    row->top = _mm512_cvtsd_f64(top);
    for (int64_t a = (actions - 1) / 8 * 8; a >= 0; a -= 8) {
        uint32_t here = _mm512_cmp_pd_mask(load(q, a, actions), top, _CMP_EQ_OQ);
        found = here ? a + __builtin_ctz(here) : found;
    }
    row->best = found;
}
#else
static inline void rank(const double *q, int64_t actions, Row *row) {
    double top = q[0], bound = -INFINITY;
    int64_t best = 0;
    for (int64_t a = 1; a < actions; a++) {
        double value = q[a];
        double lower = value > top ? top : value;
        bound = lower > bound ? lower : bound;
        best = value > top ? a : best;
        top = value > top ? value : top;
    }
    row->top = top, row->bound = bound, row->best = best;
}
#endif

static inline int64_t choose(const Row *row, int64_t actions, double epsilon, double u) {
    if (__builtin_expect(u >= epsilon, 1)) return row->best;
    int64_t a = (int64_t)(u / epsilon * (double)actions);
    return a < actions ? a : actions - 1;
}

/* Returns 1 if the best action changed. */
static inline int update(double *q, int64_t a, double alpha, double target, int64_t actions,
                         Row *row) {
    double old = q[a], new = old + alpha * (target - old);
    q[a] = new;
    if (a == row->best) {
        if (new > row->bound || new >= old) {
            row->top = new;
            return 0;
        }
        rank(q, actions, row);
        return row->best != a;
    }
    if (new > row->top || (new == row->top && a < row->best)) {
        row->bound = row->bound > row->top ? row->bound : row->top;
        row->top = new, row->best = a;
        return 1;
    }
    row->bound = row->bound > new ? row->bound : new;
    return 0;
}

/* --- pricing: both see both last prices ------------------------------------------------------- */

/* q [2][n * n][n], profit [n * n][2], rows [2][n * n] to be filled. Returns the rounds played. */
int64_t pricing(int64_t n, double *q, const double *profit, Row *rows, int64_t state,
                int64_t rounds, int64_t stop_after, double alpha, double discount, double decay,
                const uint64_t *seed) {
    Luck luck;
    int64_t states = n * n, still = 0;
    double epsilon = 1.0, less = exp(-decay);
    double *q0 = q, *q1 = q + states * n;
    Row *rows0 = rows, *rows1 = rows + states;
    begin(&luck, seed);
    for (int64_t r = 0; r < 2 * states; r++) rank(q + r * n, n, rows + r);
    for (int64_t t = 0; t < rounds; t++) {
        next_round(&luck);
        int64_t a = choose(rows0 + state, n, epsilon, draw(&luck, 0));
        int64_t b = choose(rows1 + state, n, epsilon, draw(&luck, 1));
        int64_t after = a * n + b;
        int changed = update(q0 + state * n, a, alpha, profit[2 * after] + discount * rows0[after].top,
                             n, rows0 + state);
        changed |= update(q1 + state * n, b, alpha,
                          profit[2 * after + 1] + discount * rows1[after].top, n, rows1 + state);
        state = after;
        epsilon *= less;
        still = changed ? 0 : still + 1;
        if (still == stop_after) return t + 1;
    }
    return rounds;
}

/* --- one slot at auction ---------------------------------------------------------------------- */

/* Bids of the grid, value 1; the winner pays mix x own + (1 - mix) x other bid. Reward: profit +
weight x |price - last price|. With `sees` bidders see the last price, a bid of the grid.
q [2][sees ? n + 1 : 1][n], rows alike; last: the last price's step, -1 none. */
int64_t auction(int64_t n, double *q, const double *grid, Row *rows, int64_t last, int64_t rounds,
                double mix_, double weight, int64_t sees, double alpha, double discount,
                double decay, const uint64_t *seed) {
    Luck luck;
    int64_t states = sees ? n + 1 : 1;
    double epsilon = 1.0, less = exp(-decay);
    double price = last < 0 ? -1.0 : grid[last];
    int64_t state = sees ? last + 1 : 0;
    begin(&luck, seed);
    for (int64_t r = 0; r < 2 * states; r++) rank(q + r * n, n, rows + r);
    for (int64_t t = 0; t < rounds; t++) {
        next_round(&luck);
        Row *row0 = rows + state, *row1 = rows + states + state;
        int64_t a = choose(row0, n, epsilon, draw(&luck, 0));
        int64_t b = choose(row1, n, epsilon, draw(&luck, 1));
        int64_t lot = draw(&luck, SEATS) >= 0.5;
        int64_t second = a == b ? lot : b > a;
        int64_t high = second ? b : a, low = second ? a : b;
        double paid = mix_ * grid[high] + (1.0 - mix_) * grid[low];
        double change = price < 0.0 ? 0.0 : fabs(paid - price);
        double gain = 1.0 - paid, part = weight * change;
        int64_t after = sees ? (mix_ > 0.5 ? high : low) + 1 : 0;
        double next0 = rows[after].top, next1 = rows[states + after].top;
        update(q + state * n, a, alpha, ((second ? 0.0 : gain) + part) + discount * next0, n, row0);
        update(q + (states + state) * n, b, alpha, ((second ? gain : 0.0) + part) + discount * next1,
               n, row1);
        price = paid;
        state = after;
        epsilon *= less;
    }
    return rounds;
}

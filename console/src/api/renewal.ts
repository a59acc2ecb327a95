// When an access token is renewed.

/** How long before its end a token is renewed, if it lives long enough. */
const EARLY_SECONDS = 60;
/** The share of a shorter life that is left when a token is renewed. */
const EARLY_SHARE = 0.2;
/** The shortest time between two renewals, however short a provider's tokens live. */
const LEAST_SECONDS = 5;

/** Return in how many seconds to renew a token that ends in `lifetime` seconds. */
export function secondsUntilRenewal(lifetime: number): number {
  const early = Math.min(EARLY_SECONDS, lifetime * EARLY_SHARE);
  return Math.max(lifetime - early, LEAST_SECONDS);
}

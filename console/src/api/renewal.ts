// When an access token is renewed.

/** A token is renewed so long before it ends, in seconds, if it lives long enough. */
const EARLY_SECONDS = 60;
/** The part of a shorter life that is left when a token is renewed. */
const EARLY_SHARE = 0.2;
/** A provider is not called more often, however short its tokens live. */
const LEAST_SECONDS = 5;

/** Return how many seconds from now to renew a token that ends in `lifetime` seconds. */
export function leftUntilRenewal(lifetime: number): number {
  const early = Math.min(EARLY_SECONDS, lifetime * EARLY_SHARE);
  return Math.max(lifetime - early, LEAST_SECONDS);
}

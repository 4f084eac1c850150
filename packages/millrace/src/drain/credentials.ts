import { createHash, timingSafeEqual } from 'node:crypto'

/** A pair as in `https://USER:KEY@host/`. A sender may also give the key alone, as `?key=` or as a bearer token. */
export interface Credentials {
  readonly user: string
  readonly key: string
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Says who may send. Compares digests of all pairs in constant time, so that neither the length nor a common
 * beginning of a key shows in the time of an answer.
 */
export function authorise(
  accepted: readonly Credentials[],
): (authorization: string | undefined, key: string | null) => boolean {
  const pairs = accepted.map(({ user, key }) => digest(`${user}:${key}`))
  const keys = accepted.map(({ key }) => digest(key))
  return (authorization, key) => {
    if (accepted.length === 0) return true
    const [scheme = '', token = ''] = (authorization ?? '').split(' ')
    if (/^basic$/i.test(scheme)) {
      return isAmong(pairs, Buffer.from(token, 'base64').toString('utf8'))
    }
    if (/^bearer$/i.test(scheme)) return isAmong(keys, token) || isAmong(pairs, token)
    return key !== null && isAmong(keys, key)
  }
}

function isAmong(digests: readonly Buffer[], text: string): boolean {
  const given = digest(text)
  let isKnown = false
  for (const one of digests) isKnown = timingSafeEqual(one, given) || isKnown
  return isKnown
}

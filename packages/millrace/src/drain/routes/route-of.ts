// A change of these rules splits the history of a route: raise the version in the stores' keys with it.

/** `/users/:id/orders/:order`: a segment that begins with a colon matches any one segment; `*` at the end matches the rest. */
export type RoutePattern = string

const digitsOnly = /^\d+$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const hex = /^[0-9a-f]{16,}$/i
const token = /^[A-Za-z0-9_\-.~+=%]{32,}$/
const fingerprinted = /^(.+)[-.]([0-9a-f]{8,64})(\.[A-Za-z0-9]{1,8}(?:\.(?:map|gz|br))?)$/i
const mostSegments = 32

/** The path of a request target: no query, no fragment. */
export function pathOf(target: string): string {
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** A function from a path with or without query to its route. The first pattern that matches wins. */
export function routeReader(patterns: readonly RoutePattern[] = []): (target: string) => string {
  const compiled = patterns.map((pattern) => ({ pattern, segments: pattern.split('/') }))
  return (target) => {
    const path = pathOf(target)
    const segments = path.split('/')
    for (const { pattern, segments: wanted } of compiled) {
      if (matches(segments, wanted)) return pattern
    }
    if (segments.length > mostSegments) {
      return `${segments.slice(0, mostSegments).map(segmentRoute).join('/')}/*`
    }
    return segments.map(segmentRoute).join('/')
  }
}

function matches(segments: readonly string[], wanted: readonly string[]): boolean {
  const isOpen = wanted.at(-1) === '*'
  const fixed = isOpen ? wanted.length - 1 : wanted.length
  if (isOpen ? segments.length < fixed : segments.length !== fixed) return false
  for (let index = 0; index < fixed; index++) {
    const want = wanted[index] ?? ''
    const isAny = want.startsWith(':') && segments[index] !== ''
    if (!isAny && want !== segments[index]) return false
  }
  return true
}

function segmentRoute(segment: string): string {
  if (segment === '') return segment
  if (digitsOnly.test(segment) || uuid.test(segment) || hex.test(segment)) return ':id'
  const asset = fingerprinted.exec(segment)
  if (asset && /\d/.test(asset[2] ?? '')) return `${asset[1]}-:hash${asset[3]}`
  // Long words joined by hyphens are titles, which a token hardly ever looks like: it has digits.
  if (token.test(segment) && /\d/.test(segment) && !isTitle(segment)) return ':token'
  return segment
}

/** A title has hyphens or dots between words; a token hardly ever has three letters of one case in a row at each part. */
function isTitle(segment: string): boolean {
  const words = segment.split(/[-._]/)
  return words.length >= 3 && words.every((word) => /^(?:[a-z]+|\d{1,4}|[A-Z][a-z]*)$/.test(word))
}

const digits = (text: string, from: number, count: number): number => {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/**
 * Epoch microseconds of an RFC 3339 time, or NaN. Microseconds fit a double until the year 2255.
 * Logplex does not check what an application gives as time, so anything may come here.
 */
export function parseTimeUs(text: string): number {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return Number.NaN
  if (text[10] !== 'T' && text[10] !== 't') return Number.NaN
  const isInRange =
    month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60
  if (!isInRange) return Number.NaN

  let at = 19
  let micros = 0
  if (text[at] === '.') {
    at++
    let scale = 100_000
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 48
      if (!(digit >= 0 && digit <= 9)) break
      micros += digit * scale
      scale = scale > 1 ? scale / 10 : 0
    }
    if (at === 20) return Number.NaN
  }
  const offset = offsetMinutes(text, at)
  if (Number.isNaN(offset)) return Number.NaN
  const ms = Date.UTC(year, month - 1, day, hour, minute, second) - offset * 60_000
  return ms * 1000 + micros
}

function offsetMinutes(text: string, at: number): number {
  const sign = text[at]
  if ((sign === 'Z' || sign === 'z') && text.length === at + 1) return 0
  if ((sign !== '+' && sign !== '-') || text[at + 3] !== ':' || text.length !== at + 6)
    return Number.NaN
  const minutes = digits(text, at + 1, 2) * 60 + digits(text, at + 4, 2)
  return sign === '-' ? -minutes : minutes
}

/** `2016-05-04 08:33:23 +0000`: UTC, whole seconds. */
export function wholeSecondsText(us: number): string {
  const text = new Date(Math.floor(us / 1000)).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)} +0000`
}

/** `2016-05-04T08:33:23.222253+00:00`, as Logplex writes times. */
export function microsecondsText(us: number): string {
  const text = new Date(Math.floor(us / 1000)).toISOString()
  const rest = Math.round(us % 1000)
  return `${text.slice(0, 23)}${String(rest).padStart(3, '0')}+00:00`
}

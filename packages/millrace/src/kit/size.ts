/** Bytes, or text such as `'64MiB'`, `'1.5GB'`, `'100kB'`. */
export type Size = number | string

const bytesByUnit: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/** Bytes of a size, or undefined when the text is none. */
export function parseSize(value: Size): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?$/i.exec(value.trim())
  if (!match) return undefined
  const bytes = Number(match[1]) * (bytesByUnit[(match[2] ?? 'b').toLowerCase()] ?? 1)
  return Math.round(bytes)
}

/** A size for people, in powers of 1024 with one decimal at most: `64 MiB`, `12.1 KiB`. */
export function formatSize(bytes: number): string {
  let amount = bytes
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (amount < 1024) return `${Number(amount.toFixed(1))} ${unit}`
    amount /= 1024
  }
  return `${Number(amount.toFixed(1))} TiB`
}

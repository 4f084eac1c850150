import { isDeepStrictEqual, inspect } from 'node:util'

/** Where two answers differ, one line a place: `topics[0].errorCode: Kafka 3, embedded 0`. */
export function differencesOf(kafka: unknown, embedded: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(kafka, embedded)) return []
  if (Array.isArray(kafka) && Array.isArray(embedded) && kafka.length === embedded.length) {
    return kafka.flatMap((item, index) => differencesOf(item, embedded[index], `${path}[${index}]`))
  }
  if (isPlain(kafka) && isPlain(embedded)) {
    const names = new Set([...Object.keys(kafka), ...Object.keys(embedded)])
    return Array.from(names).flatMap((name) =>
      differencesOf(kafka[name], embedded[name], path === '' ? name : `${path}.${name}`),
    )
  }
  return [`${path}: Kafka ${show(kafka)}, embedded ${show(embedded)}`]
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  const text = inspect(value, { depth: 4, breakLength: Infinity })
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}

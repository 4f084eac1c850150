/** Where events usually say what they are, when the topic does not name the property; the first one there counts. */
const usualNames = [
  'event_name',
  'eventName',
  'event_type',
  'eventType',
  'event',
  'type',
  'kind',
] as const

type UsualNames = typeof usualNames

/** The same search in types: the first usual name that any member has. */
export type UsualDiscriminant<
  Member,
  Names extends readonly string[] = UsualNames,
> = Names extends readonly [infer Name extends string, ...infer Rest extends readonly string[]]
  ? Name extends KeysOf<Member>
    ? Name
    : UsualDiscriminant<Member, Rest>
  : never

type KeysOf<Member> = Member extends unknown ? keyof Member : never

export function usualDiscriminant(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found = value as Record<string, unknown>
  return usualNames.find((name) => typeof found[name] === 'string')
}

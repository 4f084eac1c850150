import { laneDefaults, type LaneOptions, type LaneRules } from './options.ts'

/** The rules, and what is wrong with what was written. */
export function planLanes(
  options: LaneOptions,
  path: string,
): { readonly rules: LaneRules; readonly faults: readonly string[] } {
  const faults: string[] = []
  const { concurrency = laneDefaults.concurrency, orderBy, window = laneDefaults.window } = options
  for (const [name, number] of Object.entries({ concurrency, window }))
    if (!(Number.isInteger(number) && number >= 1))
      faults.push(`${path}.${name}: ${number} is not a number of 1 or more`)
  if (concurrency > window)
    faults.push(`${path}.window: ${window} messages do not fill ${concurrency} lanes`)
  return { rules: { size: concurrency, orderBy, window }, faults }
}

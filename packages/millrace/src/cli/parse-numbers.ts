import { failure } from '../errors/index.ts'

/** Far more partitions than a topic has; a mistyped range must not fill the memory. */
const maxNumber = 1_000_000

/** `0,3-5`, in one word or several; undefined when there is none. @throws MR_CLI_USAGE */
export function parseNumbers(
  flag: string,
  words: readonly string[] | undefined,
): ReadonlySet<number> | undefined {
  if (words === undefined) return undefined
  const numbers = new Set<number>()
  for (const part of words.flatMap((word) => word.split(','))) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? []
    if (first === undefined || Number(last) > maxNumber || Number(first) > Number(last))
      throw failure('MR_CLI_USAGE', { reason: `${flag} ${part} is no number or range, as 0,3-5` })
    for (let number = Number(first); number <= Number(last); number++) numbers.add(number)
  }
  return numbers
}

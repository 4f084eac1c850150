/** A handler module that computes for as many milliseconds as its message says, and waits for nothing. */
import { defineThreadHandler, defineTopic, json } from '../../../packages/millrace/src/app/index.ts'

export const numbers = defineTopic('numbers', { value: json<number>() })
export const words = defineTopic('words', { value: json<string>() })

export function spin(ms: number): number {
  const endMs = performance.now() + ms
  let turns = 0
  while (performance.now() < endMs) turns++
  return turns
}

export default defineThreadHandler({
  topic: numbers,
  each: ({ value }) => void spin(value),
})

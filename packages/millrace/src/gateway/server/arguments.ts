import type { Command } from '../command.ts'

/** An argument as text; a missing or null one is empty. */
export function text({ args }: Command, at: number): string {
  return args[at]?.toString() ?? ''
}

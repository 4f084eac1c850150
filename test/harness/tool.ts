import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Undefined when the command runs, else the sentence that a skipped test shows. */
export async function missingTool(
  command: string,
  args: readonly string[],
  install: string,
): Promise<string | undefined> {
  try {
    await run(command, args)
    return undefined
  } catch {
    return `${command} is not installed: ${install}`
  }
}

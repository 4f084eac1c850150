import { join } from 'node:path'

import { pino } from 'pino'

import type { Logger } from '../../app/index.ts'

export const devLogName = 'dev.log'

/**
 * The worker's log while a live screen is drawn: all of it goes to a file, and what needs an eye is shown above the
 * screen.
 */
export function openDevLog(dataFolder: string, note: (line: string) => void): Logger {
  const file = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: join(dataFolder, devLogName), sync: true }),
  )
  return {
    debug: (fields, text) => file.debug(fields, text),
    info: (fields, text) => file.info(fields, text),
    warn(fields, text) {
      file.warn(fields, text)
      note(`warning: ${text}`)
    },
    error(fields, text) {
      file.error(fields, text)
      note(`error: ${text}`)
    },
  }
}

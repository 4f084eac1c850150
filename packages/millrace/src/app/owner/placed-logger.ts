import type { Logger } from '../ports.ts'

/** A logger whose lines carry where they come from. */
export function placedLogger(logger: Logger, place: object): Logger {
  return {
    debug: (fields, text) => logger.debug({ ...place, ...fields }, text),
    info: (fields, text) => logger.info({ ...place, ...fields }, text),
    warn: (fields, text) => logger.warn({ ...place, ...fields }, text),
    error: (fields, text) => logger.error({ ...place, ...fields }, text),
  }
}

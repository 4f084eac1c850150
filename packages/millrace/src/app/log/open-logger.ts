import { createRequire } from 'node:module'

import type { Logger as Pino, LoggerOptions, StreamEntry } from 'pino'

import type { Logger } from '../ports.ts'
import { describeError } from './describe-error.ts'

export interface LoggerSettings {
  readonly level: string
  /** Also as JSON lines into this file. */
  readonly file?: string | undefined
}

const require = createRequire(import.meta.url)

/** Readable lines on a terminal, JSON lines otherwise. A file that cannot be written costs a warning. */
export function openLogger({ level, file }: LoggerSettings): Logger {
  // Loaded here, since commands that start no worker should not pay for it.
  const pino = require('pino') as typeof import('pino').default
  const streams: StreamEntry[] = [{ level: 'trace', stream: standardOutput() }]
  let fileFault: unknown
  if (file !== undefined) {
    try {
      streams.push({
        level: 'trace',
        stream: pino.destination({ dest: file, mkdir: true, sync: true }),
      })
    } catch (error) {
      fileFault = error
    }
  }
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  }
  const logger: Pino = pino(options, pino.multistream(streams))
  if (fileFault !== undefined)
    logger.warn({ err: fileFault }, `Cannot write the log file ${file}, going on without it`)
  return logger
}

function standardOutput(): NodeJS.WritableStream {
  if (!process.stdout.isTTY) return process.stdout
  const pretty = require('pino-pretty') as typeof import('pino-pretty')
  // What is in the text already; programs read the fields, people the line.
  const ignore = 'group,assigned,consumer,topic,partition,offset,attempt,code,exitCode'
  return pretty({ colorize: true, sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore })
}

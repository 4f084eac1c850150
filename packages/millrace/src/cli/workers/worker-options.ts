import { join, resolve } from 'node:path'

import { dataFolderName } from '../dev/address-file.ts'

/** Of every command that speaks to workers of a folder. */
export const workerFolderOptions = {
  data: {
    type: 'text',
    env: 'MILLRACE_DATA_FOLDER',
    about: 'folder in which workers keep their sockets and pauses (default .millrace)',
  },
} as const

export function dataFolderOf(folder: string, written: string | undefined): string {
  return written === undefined || written === ''
    ? join(folder, dataFolderName)
    : resolve(folder, written)
}

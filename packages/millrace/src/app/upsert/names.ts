import { failure } from '../../errors/index.ts'

/**
 * A table or column as it stands in a statement. Only plain names: they come from code, and what is not plain is a mistake.
 * @throws MR_SQL_NAME_INVALID
 */
export function quoted(name: string): string {
  const parts = name.split('.')
  const isPlain = parts.length <= 2 && parts.every((part) => /^[A-Za-z_]\w*$/.test(part))
  if (!isPlain) throw failure('MR_SQL_NAME_INVALID', { name })
  return parts.map((part) => `"${part}"`).join('.')
}

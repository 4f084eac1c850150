export { openConsumePart } from './open-consume-part.ts'

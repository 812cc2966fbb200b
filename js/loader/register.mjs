import register from './register.cjs';

export const { isActive } = register;

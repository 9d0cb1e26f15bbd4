type Language = {
  name: string;
  language: unknown;
  nodeTypeInfo: object[];
};

declare const languages: {
  connection: Language;
  datasource: Language;
  pipe: Language;
  sql: Language;
};

export = languages;

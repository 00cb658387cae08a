package formats

import (
	"slices"
	"strings"
)

// pageLanguage is the language of a page of Setup, as the titles of the columns of
// its download tell it.
type pageLanguage struct {
	name string
	// order is how the language's dates are written by all who speak it; unknown for
	// English, which has two ways.
	order DateOrder
	// titles are the names of the object's columns by the plain names of the titles.
	titles map[string]string
}

// pageLanguages reads, for each language, lines of "column: title, title".
func pageLanguages(lines map[string]string) []pageLanguage {
	languages := []pageLanguage{
		{name: "German", order: DayMonthYear}, {name: "French", order: DayMonthYear}, {name: "Spanish", order: DayMonthYear},
		{name: "Dutch", order: DayMonthYear}, {name: "Japanese", order: YearMonthDay},
	}
	for i := range languages {
		l := &languages[i]
		l.titles = map[string]string{}
		for line := range strings.Lines(lines[l.name]) {
			column, titles, _ := strings.Cut(strings.TrimSpace(line), ":")
			for title := range strings.SplitSeq(titles, ",") {
				if title = titleName(title); title != "" {
					l.titles[title] = column
				}
			}
		}
	}
	return languages
}

// titleSigns are apostrophes and blanks that plainName leaves.
var titleSigns = strings.NewReplacer("\u2019", "", "\u00a0", "", "\u202f", "", "\u3000", "", "\u2011", "", "\u2010", "")

// titleName is the plain name of a column's title.
func titleName(title string) string { return plainName(titleSigns.Replace(title)) }

// columnsOf are the plain names of the object's columns that a header names, and the
// language of the header; nil stands for English and for the names of the API. ok is
// false where the header is not the object's.
func (o *salesforceObject) columnsOf(names []string) (columns []string, language *pageLanguage, ok bool) {
	columns = make([]string, len(names))
	for i, name := range names {
		if len(name) > maxMemoKey {
			return nil, nil, false
		}
		columns[i] = titleName(name)
	}
	if o.has(columns) {
		return columns, nil, true
	}
	for i := range o.languages {
		l := &o.languages[i]
		translated := slices.Clone(columns)
		for j, title := range columns {
			if column, known := l.titles[title]; known && !slices.Contains(translated[:j], column) {
				translated[j] = column
			}
		}
		if o.has(translated) {
			return translated, l, true
		}
	}
	return columns, nil, false
}

// has says whether columns are enough to know the object by.
func (o *salesforceObject) has(columns []string) bool {
	return slices.ContainsFunc(o.needs, func(alternative []string) bool {
		return !slices.ContainsFunc(alternative, func(name string) bool { return !slices.Contains(columns, name) })
	})
}

// loginHistoryLanguages are the titles of Login History. They are translations, not
// taken from downloads: where one is missing, its column stays unmapped.
var loginHistoryLanguages = pageLanguages(map[string]string{
	"German": `username: Benutzername
		logintime: Anmeldezeit, Anmeldezeitpunkt, Zeitpunkt der Anmeldung, Uhrzeit der Anmeldung
		sourceip: Quell-IP, Quell-IP-Adresse, IP-Quelladresse
		location: Standort, Ort
		logintype: Anmeldetyp, Anmeldungstyp, Art der Anmeldung
		loginsubtype: Anmeldeuntertyp, Untertyp der Anmeldung
		platform: Plattform
		application: Anwendung
		clientversion: Client-Version, Clientversion
		loginurl: Anmelde-URL, Anmeldungs-URL
		tlsprotocol: TLS-Protokoll
		ciphersuite: TLS-Verschlüsselungssammlung, TLS-Verschlüsselungssuite, TLS-Cipher-Suite
		apitype: API-Typ`,
	"French": `username: Nom d'utilisateur
		logintime: Heure de connexion, Date de connexion, Date et heure de connexion
		sourceip: IP source, Adresse IP source
		location: Emplacement, Lieu
		logintype: Type de connexion
		loginsubtype: Sous-type de connexion
		status: Statut, État
		browser: Navigateur
		platform: Plate-forme, Plateforme
		clientversion: Version du client, Version client
		apitype: Type d'API
		apiversion: Version d'API, Version de l'API
		loginurl: URL de connexion
		tlsprotocol: Protocole TLS
		ciphersuite: Suite de chiffrement TLS`,
	"Spanish": `username: Nombre de usuario
		logintime: Hora de inicio de sesión, Fecha de inicio de sesión
		sourceip: IP de origen, Dirección IP de origen
		location: Ubicación
		logintype: Tipo de inicio de sesión
		loginsubtype: Subtipo de inicio de sesión
		status: Estado
		browser: Navegador, Explorador
		platform: Plataforma
		application: Aplicación
		clientversion: Versión del cliente, Versión de cliente
		apitype: Tipo de API
		apiversion: Versión de API, Versión de la API
		loginurl: URL de inicio de sesión
		tlsprotocol: Protocolo TLS
		ciphersuite: Conjunto de cifrado TLS`,
	"Dutch": `username: Gebruikersnaam
		logintime: Aanmeldtijd, Aanmeldingstijd, Tijd van aanmelding, Tijdstip van aanmelding
		sourceip: Bron-IP, Bron-IP-adres, IP-adres van bron
		location: Locatie
		logintype: Aanmeldtype, Aanmeldingstype, Type aanmelding
		loginsubtype: Subtype aanmelding
		application: Toepassing, Applicatie
		clientversion: Clientversie, Versie van client
		apiversion: API-versie
		loginurl: Aanmeld-URL, Aanmeldings-URL
		ciphersuite: TLS-coderingssuite, TLS-versleutelingssuite`,
	"Japanese": `username: ユーザ名, ユーザー名
		logintime: ログイン日時, ログイン時刻, ログイン時間
		sourceip: 送信元 IP, ソース IP, 送信元 IP アドレス, ソース IP アドレス
		location: 場所, 位置
		logintype: ログイン種別, ログインタイプ, ログイン種類
		loginsubtype: ログインサブタイプ
		status: 状況, 状態, ステータス
		browser: ブラウザ, ブラウザー
		platform: プラットフォーム
		application: アプリケーション
		clientversion: クライアントバージョン, クライアントのバージョン
		apitype: API 種別, API タイプ, API 種類
		apiversion: API バージョン, API のバージョン
		loginurl: ログイン URL
		tlsprotocol: TLS プロトコル
		ciphersuite: TLS 暗号スイート, TLS 暗号化スイート`,
})

// setupAuditLanguages are the titles of View Setup Audit Trail, likewise.
var setupAuditLanguages = pageLanguages(map[string]string{
	"German": `date: Datum
		user: Benutzer
		action: Aktion
		section: Abschnitt, Bereich
		delegateuser: Stellvertretender Benutzer, Bevollmächtigter Benutzer, Delegierter Benutzer
		sourcenamespaceprefix: Namespace-Präfix der Quelle, Quell-Namespace-Präfix`,
	"French": `user: Utilisateur
		delegateuser: Utilisateur délégué
		sourcenamespaceprefix: Préfixe d'espace de noms source`,
	"Spanish": `date: Fecha
		user: Usuario
		action: Acción
		section: Sección
		delegateuser: Usuario delegado
		sourcenamespaceprefix: Prefijo de espacio de nombres de origen`,
	"Dutch": `date: Datum
		user: Gebruiker
		action: Actie
		section: Sectie
		delegateuser: Gedelegeerde gebruiker`,
	"Japanese": `date: 日付
		user: ユーザ, ユーザー
		action: アクション
		section: セクション
		delegateuser: 代理ユーザ, 代理ユーザー, 委任ユーザ
		sourcenamespaceprefix: ソース名前空間プレフィックス`,
})

//! The client's data in ClientFinish: registration and login payloads.
//!
//! The bytes are equal to those of Baileys (source: Baileys 7.0.0-rc14, `validate-connection`).

use md5::{Digest, Md5};
use prost::Message;

use super::{Config, Credentials, LoginError};
use crate::proto::{
    ClientPayload, DeviceProps,
    client_payload::{
        ConnectReason, ConnectType, DevicePairingRegistrationData, UserAgent, WebInfo,
        user_agent::{AppVersion, Platform, ReleaseChannel},
        web_info::WebSubPlatform,
    },
    device_props::{self, HistorySyncConfig, PlatformType},
};

/// The key type in a registration: the type byte of public keys in Signal's format.
const KEY_BUNDLE_TYPE: u8 = 5;

/// The encoded ClientPayload for these credentials. It is a registration if the device is not paired, otherwise a
/// login.
///
/// # Errors
/// Fails with [`LoginError::InvalidJid`].
pub fn client_payload(credentials: &Credentials, config: &Config) -> Result<Vec<u8>, LoginError> {
    match credentials.me.as_ref().filter(|_| !credentials.wants_registration()) {
        Some(me) => login_payload(&me.id, config),
        None => Ok(registration_payload(credentials, config)),
    }
}

/// The encoded ClientPayload for the login of a paired device.
///
/// # Errors
/// Fails with [`LoginError::InvalidJid`].
pub fn login_payload(jid: &str, config: &Config) -> Result<Vec<u8>, LoginError> {
    let (username, device) = user_and_device(jid).ok_or_else(|| LoginError::InvalidJid(jid.to_owned()))?;
    let payload = ClientPayload {
        passive: Some(true),
        pull: Some(true),
        username: Some(username),
        device,
        lid_db_migrated: Some(false),
        ..common_payload(config)
    };
    Ok(payload.encode_to_vec())
}

/// The encoded ClientPayload for the registration of a new device.
#[must_use]
pub fn registration_payload(credentials: &Credentials, config: &Config) -> Vec<u8> {
    let [primary, secondary, tertiary] = config.version;
    let build_hash = Md5::digest(format!("{primary}.{secondary}.{tertiary}")).to_vec();
    let pre_key = &credentials.signed_pre_key;
    let [_, key_id @ ..] = pre_key.key_id.to_be_bytes();
    let pairing = DevicePairingRegistrationData {
        build_hash: Some(build_hash),
        device_props: Some(device_props(config).encode_to_vec()),
        e_regid: Some(credentials.registration_id.to_be_bytes().to_vec()),
        e_keytype: Some(vec![KEY_BUNDLE_TYPE]),
        e_ident: Some(credentials.identity_key.public.as_bytes().to_vec()),
        e_skey_id: Some(key_id.to_vec()),
        e_skey_val: Some(pre_key.key_pair.public.as_bytes().to_vec()),
        e_skey_sig: Some(pre_key.signature.clone()),
    };
    ClientPayload {
        passive: Some(false),
        pull: Some(false),
        device_pairing_data: Some(pairing),
        ..common_payload(config)
    }
    .encode_to_vec()
}

/// The user number and the device number of a JID `user[_agent][:device]@server`.
fn user_and_device(jid: &str) -> Option<(u64, Option<u32>)> {
    let (combined, _) = jid.split_once('@')?;
    let (user, device) = match combined.split_once(':') {
        Some((user, device)) => (user, Some(device)),
        None => (combined, None),
    };
    let user = user.split('_').next()?.parse().ok()?;
    let device = match device.filter(|device| !device.is_empty()) {
        Some(device) => Some(device.parse().ok()?),
        None => None,
    };
    Some((user, device))
}

fn is_android(config: &Config) -> bool {
    let [_, browser, _] = &config.browser;
    browser.to_lowercase().contains("android")
}

fn common_payload(config: &Config) -> ClientPayload {
    ClientPayload {
        connect_type: Some(ConnectType::WifiUnknown.into()),
        connect_reason: Some(ConnectReason::UserActivated.into()),
        user_agent: Some(user_agent(config)),
        web_info: (!is_android(config)).then(|| WebInfo {
            web_sub_platform: Some(web_sub_platform(config).into()),
            ..Default::default()
        }),
        push_name: config.push_name.clone().filter(|name| !name.is_empty()),
        ..Default::default()
    }
}

fn user_agent(config: &Config) -> UserAgent {
    let [primary, secondary, tertiary] = config.version.map(Some);
    let platform = if is_android(config) {
        Platform::Android
    } else {
        Platform::Web
    };
    let text = |text: &str| Some(text.to_owned());
    UserAgent {
        app_version: Some(AppVersion {
            primary,
            secondary,
            tertiary,
            ..Default::default()
        }),
        platform: Some(platform.into()),
        release_channel: Some(ReleaseChannel::Release.into()),
        os_version: text("0.1"),
        device: text("Desktop"),
        os_build_number: text("0.1"),
        locale_language_iso6391: text("en"),
        mnc: text("000"),
        mcc: text("000"),
        locale_country_iso31661_alpha2: text(&config.country_code),
        ..Default::default()
    }
}

fn web_sub_platform(config: &Config) -> WebSubPlatform {
    let [system, browser, _] = &config.browser;
    match system.as_str() {
        _ if !config.sync_full_history || browser != "Desktop" => WebSubPlatform::WebBrowser,
        "Mac OS" => WebSubPlatform::Darwin,
        "Windows" => WebSubPlatform::Win32,
        _ => WebSubPlatform::WebBrowser,
    }
}

fn device_props(config: &Config) -> DeviceProps {
    let [system, browser, _] = &config.browser;
    let platform_type = match browser.to_uppercase().as_str() {
        "ANDROID" => PlatformType::AndroidPhone,
        // As in Baileys, a platform with the number 0 is replaced by the default.
        other => PlatformType::from_str_name(other)
            .filter(|platform| *platform != PlatformType::Unknown)
            .unwrap_or(PlatformType::Chrome),
    };
    DeviceProps {
        os: Some(system.clone()),
        version: Some(device_props::AppVersion {
            primary: Some(10),
            secondary: Some(15),
            tertiary: Some(7),
            ..Default::default()
        }),
        platform_type: Some(platform_type.into()),
        require_full_sync: Some(config.sync_full_history),
        history_sync_config: Some(HistorySyncConfig {
            storage_quota_mb: Some(10240),
            inline_initial_payload_in_e2_ee_msg: Some(true),
            support_call_log_history: Some(false),
            support_bot_user_agent_chat_history: Some(true),
            support_cag_reactions_and_polls: Some(true),
            support_biz_hosted_msg: Some(true),
            support_recent_sync_chunk_message_count_tuning: Some(true),
            support_hosted_group_msg: Some(true),
            support_fbid_bot_chat_history: Some(true),
            support_message_association: Some(true),
            support_group_history: Some(false),
            ..Default::default()
        }),
    }
}
